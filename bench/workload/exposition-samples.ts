/** Reads exposition text, to check what is measured. Not fast, and not timed. */
import { type CollectorRegistry, generateMetrics } from 'metheus';

/** The samples of a text: value by series. Labels are put in order, since clients write them in several. */
export function samplesOf(text: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    const brace = line.indexOf('{');
    const labels = brace < 0 ? [] : line.slice(brace + 1, space - 1).split(/,(?=[a-z_])/);
    const name = line.slice(0, brace < 0 ? space : brace);
    samples.set(`${name}{${labels.sort().join()}}`, Number(line.slice(space + 1).replace('Inf', 'Infinity')));
  }
  return samples;
}

/** The sum of all values. */
export function sumOf(text: string): number {
  return [...samplesOf(text).values()].reduce((sum, value) => sum + value, 0);
}

export function metheusText(registry: CollectorRegistry): () => Promise<string> {
  return () => generateMetrics(registry);
}
