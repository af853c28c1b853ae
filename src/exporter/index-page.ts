/** What a person sees who opens the server's address in a browser. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** @param path - where the metrics are */
export function indexPage(path: string): string {
  const link = path.replace(/[&<>"]/g, (char) => ENTITIES[char]!);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Metheus</title>
<h1>Metheus</h1>
<p><a href="${link}">Metrics</a></p>
</html>
`;
}
