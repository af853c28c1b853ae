/** Code blocks, headings and links of a Markdown page. */

/** A fenced block. */
export interface Block {
  /** The path of the page, for messages. */
  readonly page: string;
  /** The number of the first line of the text, from 1. */
  readonly line: number;
  /** The info string: `ts`, `ts ignore`, or empty. */
  readonly info: string;
  readonly text: string;
  /** For code, the text of the block without a language that follows immediately: the output. */
  readonly output: string | undefined;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*(.*?)\s*$/;

interface Parts {
  readonly blocks: readonly Block[];
  /** The lines outside of code blocks. */
  readonly prose: readonly string[];
}

function partsOf(page: string, markdown: string): Parts {
  const found: { block: Block; follows: boolean }[] = [];
  const prose: string[] = [];
  const lines = markdown.split('\n');
  // Whether only blank lines follow the last block.
  let follows = false;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const fence = FENCE.exec(line);
    if (fence === null) {
      prose.push(line);
      if (line.trim() !== '') follows = false;
      continue;
    }
    const [, marks = '', info = ''] = fence;
    const start = at + 1;
    do at += 1;
    while (at < lines.length && !(lines[at]!.trim().startsWith(marks) && FENCE.exec(lines[at]!)?.[2] === ''));
    const text = lines
      .slice(start, at)
      .map((inside) => `${inside}\n`)
      .join('');
    found.push({ block: { page, line: start + 1, info, text, output: undefined }, follows });
    follows = true;
  }
  const blocks = found.map(({ block }, i) => {
    const next = found[i + 1];
    return next?.follows && next.block.info === '' && block.info !== ''
      ? { ...block, output: next.block.text }
      : block;
  });
  return { blocks, prose };
}

export function blocksOf(page: string, markdown: string): readonly Block[] {
  return partsOf(page, markdown).blocks;
}

/** Returns the anchors that GitHub gives to the headings of a page. */
export function anchorsOf(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const line of partsOf('', markdown).prose) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let copy = 1; anchors.has(anchor); copy++) anchor = `${slug}-${copy}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Returns the targets of the links of a page, without those in code. */
export function linksOf(markdown: string): string[] {
  const prose = partsOf('', markdown)
    .prose.join('\n')
    .replace(/(`+)[^`](?:.|\n)*?\1/g, '');
  const inline = prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const references = prose.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm);
  return [...inline, ...references].map((match) => match[1]!);
}
