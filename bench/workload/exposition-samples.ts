/** Reads exposition text to check a measurement. Slow, and never timed. */
import { type CollectorRegistry, generateMetrics } from 'metheus';

/** Returns the samples of a text: value by series. Sorts the labels, whose order depends on the client. */
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

/** Returns the sum of all values. */
export function sumOf(text: string): number {
  return [...samplesOf(text).values()].reduce((sum, value) => sum + value, 0);
}

export function metheusText(registry: CollectorRegistry): () => Promise<string> {
  return () => generateMetrics(registry);
}
