/**
 * A program with a proxy. After a scrape, the test sends it `disconnect`, and it has nothing else to do. The argument
 * `keep` makes the proxy keep it running.
 */
import { TqdmPromProxy } from 'metheus/progress';

const proxy = new TqdmPromProxy({
  httpHost: '127.0.0.1',
  httpPort: 0,
  keepAlive: process.argv.includes('keep'),
});
await proxy.start();
for (const _ of proxy.tqdm([1, 2, 3], { desc: 'Short', disable: true }));
process.send!(proxy.url);
process.once('message', () => process.disconnect());
