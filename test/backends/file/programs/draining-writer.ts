/** Counts, and ends by itself when a message arrives: `draining-writer.js <directory>`. */
import { createCounter, loadBackend } from 'metheus';
import { MultiProcessFileBackend } from 'metheus/backends/file';

await loadBackend(MultiProcessFileBackend, { directory: process.argv[2]! });
createCounter('drained_total', 'Counts.').inc();
process.once('message', () => process.disconnect());
process.send!('ready');
