/** The package that writes protobuf: optional, and loaded when somebody asks for that format. */
import { createRequire } from 'node:module';
import { MetheusError } from '../../errors.js';

/** Of the format `protobuf`. */
export const PROTOBUF_CONTENT_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

let isThere: boolean | undefined;

/** Whether the package is there, so that the format can be offered. Looked for once. */
export function isProtobufInstalled(): boolean {
  isThere ??= canResolve('@bufbuild/protobuf/wire');
  return isThere;
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
