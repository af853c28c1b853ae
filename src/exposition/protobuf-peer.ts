/** The package that writes protobuf: optional, and loaded when somebody asks for that format. */
import { MetheusError } from '../errors.js';

/** Whether the package is there, so that the format can be offered. */
export async function isProtobufInstalled(): Promise<boolean> {
  return importProtobuf().then(
    () => true,
    () => false,
  );
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
