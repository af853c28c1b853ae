/** Support for `require` in ES modules, for packages that are needed synchronously or contain native code. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * Returns a function `require` that resolves relative to a file or URL. Webpack replaces calls of `createRequire`, but
 * not of this function.
 */
export function requireFrom(file: string): NodeJS.Require {
  const nodeModule = process.getBuiltinModule?.('node:module') ?? { createRequire };
  return nodeModule.createRequire(file);
}

/**
 * Loads an optional package. Bundlers do not replace the call, so the package is found at run time: beside the bundle,
 * the program's main file or the working directory.
 *
 * @throws the error of `require`
 */
export function requireOptional(name: string): unknown {
  // In a CommonJS bundle, `import.meta` is empty.
  const here: string | undefined = import.meta.url;
  let failure: unknown;
  for (const from of [here, process.argv[1], join(process.cwd(), 'noop.js')]) {
    if (from === undefined) continue;
    try {
      return requireFrom(from)(name);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}
