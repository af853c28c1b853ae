/** Prints the source files of a way, one a line: `node build/test/ways/main.js scrape|bar|terminal|worker|redis`. */
import { WAYS, type Way } from './ways.js';

const files = await WAYS[process.argv[2] as Way]();
console.log(files.join('\n'));
process.exit();
