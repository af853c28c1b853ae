/** Returns the exposition of a registry without its comments. */
import { type Collectable, generateMetrics } from 'metheus';

export async function samples(registry: Collectable): Promise<string[]> {
  const text = await generateMetrics(registry);
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
