/** The optional package that writes the protobuf of remote write and of OTLP. */
import { MetheusError } from '../errors.js';

/** @throws `METHEUS_DEPENDENCY_MISSING` */
export async function importProtobuf(): Promise<typeof import('@bufbuild/protobuf/wire')> {
  try {
    return await import('@bufbuild/protobuf/wire');
  } catch (cause) {
    throw new MetheusError('METHEUS_DEPENDENCY_MISSING', {
      given: 'no package @bufbuild/protobuf',
      expected: '@bufbuild/protobuf, with which remote write and OTLP write protobuf',
      todo: "Run 'npm install @bufbuild/protobuf'",
      cause,
    });
  }
}
