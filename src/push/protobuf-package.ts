/** The optional package that writes the protobuf of remote write and of OTLP. */
import { missingPackage } from '../errors.js';

/** @throws `METHEUS_DEPENDENCY_MISSING` */
export async function importProtobuf(): Promise<typeof import('@bufbuild/protobuf/wire')> {
  try {
    return await import('@bufbuild/protobuf/wire');
  } catch (cause) {
    throw missingPackage(
      '@bufbuild/protobuf',
      '@bufbuild/protobuf, with which remote write and OTLP write protobuf',
      cause,
    );
  }
}
