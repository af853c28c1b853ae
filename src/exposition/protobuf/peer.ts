/** The optional package that writes protobuf, loaded when the format is first requested. */
import { createRequire } from 'node:module';
import { MetheusError } from '../../errors.js';

/** Content type of the format `protobuf`. */
export const PROTOBUF_CONTENT_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

let isInstalled: boolean | undefined;

/** Reports whether the package is installed. Resolves it once. */
export function isProtobufInstalled(): boolean {
  isInstalled ??= canResolve('@bufbuild/protobuf/wire');
  return isInstalled;
}

function canResolve(specifier: string): boolean {
  try {
    createRequire(import.meta.url).resolve(specifier);
    return true;
  } catch {
    return false;
  }
}

/** @throws `METHEUS_DEPENDENCY_MISSING` */
export async function importProtobuf(): Promise<typeof import('@bufbuild/protobuf/wire')> {
  try {
    return await import('@bufbuild/protobuf/wire');
  } catch (cause) {
    throw new MetheusError('METHEUS_DEPENDENCY_MISSING', {
      given: 'no package @bufbuild/protobuf',
      expected: '@bufbuild/protobuf, which the format protobuf is written with',
      todo: "Run 'npm install @bufbuild/protobuf'",
      cause,
    });
  }
}
