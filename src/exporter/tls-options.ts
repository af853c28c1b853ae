/** The TLS of a web configuration as options of Node's servers. */
import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { PeerCertificate, TLSSocket, TlsOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import { MetheusError, messageOf, show } from '../errors.js';
import type { WebTlsConfig } from './web-config.js';

/** Node's names of TLS versions, by Go's names. */
const VERSIONS = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;

/** OpenSSL's names of the cipher suites up to TLS 1.2, by Go's names. */
const CIPHERS: Readonly<Record<string, string>> = {
  TLS_RSA_WITH_AES_128_CBC_SHA: 'AES128-SHA',
  TLS_RSA_WITH_AES_256_CBC_SHA: 'AES256-SHA',
  TLS_RSA_WITH_AES_128_GCM_SHA256: 'AES128-GCM-SHA256',
  TLS_RSA_WITH_AES_256_GCM_SHA384: 'AES256-GCM-SHA384',
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: 'ECDHE-ECDSA-AES128-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: 'ECDHE-ECDSA-AES256-SHA',
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 'ECDHE-RSA-AES128-SHA',
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 'ECDHE-RSA-AES256-SHA',
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: 'ECDHE-ECDSA-AES128-GCM-SHA256',
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: 'ECDHE-ECDSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: 'ECDHE-RSA-AES128-GCM-SHA256',
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: 'ECDHE-RSA-AES256-GCM-SHA384',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-RSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305: 'ECDHE-ECDSA-CHACHA20-POLY1305',
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: 'ECDHE-ECDSA-CHACHA20-POLY1305',
};
/** Suites of TLS 1.3. As in Go, they are valid names, but cannot be selected. */
const TLS13_CIPHERS = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

const CURVES: Readonly<Record<string, string>> = {
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
  X25519: 'X25519',
};

/** Policies for client certificates: whether one is requested, required, and verified if there is one. */
const CLIENT_AUTH: Readonly<
  Record<string, readonly [requested: boolean, required: boolean, verified: boolean]>
> = {
  NoClientCert: [false, false, false],
  RequestClientCert: [true, false, false],
  RequireClientCert: [true, true, false],
  RequireAnyClientCert: [true, true, false],
  VerifyClientCertIfGiven: [true, false, true],
  RequireAndVerifyClientCert: [true, true, true],
};

/** The TLS of a server. */
export interface ServerTls {
  readonly options: TlsOptions;
  /** Returns the reason to refuse a client's connection; undefined if there is none. */
  refusalOf(socket: TLSSocket): string | undefined;
}

/** Reports whether a configuration has TLS at all. */
export function hasTls(tls: WebTlsConfig | null | undefined): tls is WebTlsConfig {
  const { cert, key, cert_file, key_file, client_ca, client_ca_file, client_auth_type } = tls ?? {};
  return [cert, key, cert_file, key_file, client_ca, client_ca_file, client_auth_type].some(Boolean);
}

/**
 * Returns the TLS of a configuration. Reads its files.
 *
 * @throws `METHEUS_INVALID_OPTIONS`
 */
export function serverTls(config: WebTlsConfig): ServerTls {
  const cert = pemOf('cert', config.cert, config.cert_file);
  const key = pemOf('key', config.key, config.key_file);
  const hasAuthority = Boolean(config.client_ca || config.client_ca_file);
  const ca = hasAuthority ? pemOf('client_ca', config.client_ca, config.client_ca_file) : undefined;
  const policy = config.client_auth_type || 'NoClientCert';
  const [requested, required, verified] = pick('client_auth_type', policy, CLIENT_AUTH);
  if (hasAuthority && !requested)
    throw refuse('client_ca without client_auth_type', 'a policy for client certificates');
  const suites = (config.cipher_suites ?? []).filter((suite) => !TLS13_CIPHERS.includes(suite));
  const curves = (config.curve_preferences ?? []).map((curve) => pick('curve_preferences', curve, CURVES));
  const options: TlsOptions = {
    cert,
    key,
    ...(ca !== undefined && { ca }),
    minVersion: pick('min_version', config.min_version || 'TLS12', VERSIONS),
    maxVersion: pick('max_version', config.max_version || 'TLS13', VERSIONS),
    ...(suites.length > 0 && {
      // Node has one list for all versions, and TLS 1.3 needs a suite in it.
      ciphers: [...TLS13_CIPHERS, ...suites.map((suite) => pick('cipher_suites', suite, CIPHERS))].join(':'),
    }),
    honorCipherOrder: config.prefer_server_cipher_suites ?? true,
    ...(curves.length > 0 && { ecdhCurve: curves.join(':') }),
    requestCert: requested,
    // `refusalOf` checks certificates instead, so that a refusal can be reported.
    rejectUnauthorized: false,
  };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw refuse(`a certificate and key (${messageOf(cause)})`, 'PEM texts that belong together', cause);
  }
  const sans = config.client_allowed_sans ?? undefined;
  const allowed = sans === undefined ? undefined : new Set(sans.map(canonical));
  return {
    options,
    refusalOf(socket) {
      const certificate = socket.getPeerCertificate();
      const hasCertificate = Object.keys(certificate ?? {}).length > 0;
      if (!hasCertificate) return required ? 'it has no certificate' : undefined;
      if (verified && !socket.authorized)
        return `its certificate is not trusted: ${socket.authorizationError}`;
      if (allowed !== undefined && !sansOf(certificate).some((san) => allowed.has(canonical(san)))) {
        return 'its certificate has no allowed name';
      }
      return undefined;
    },
  };
}

/** Returns an IPv6 address in its shortest form, and any other name unchanged. */
function canonical(name: string): string {
  return isIPv6(name) ? new URL(`http://[${name}]`).hostname.slice(1, -1) : name;
}

/** Returns the names of a certificate: DNS, IP, email and URI. Node writes `DNS:a, IP Address:127.0.0.1`. */
function sansOf({ subjectaltname = '' }: PeerCertificate): string[] {
  const names = subjectaltname.matchAll(/(?:^|, )(?:DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return Array.from(names, ([, name]) => (name!.startsWith('"') ? (JSON.parse(name!) as string) : name!));
}

function pemOf(name: string, text: string | undefined, file: string | undefined): string | Buffer {
  if (!file && !text) throw refuse(`no ${name} and no ${name}_file`, 'one of them');
  if (!file) return text!;
  try {
    return readFileSync(file);
  } catch (cause) {
    throw refuse(`${name}_file (${messageOf(cause)})`, 'a readable file', cause);
  }
}

function pick<T>(key: string, given: string, known: Readonly<Record<string, T>>): T {
  if (Object.hasOwn(known, given)) return known[given]!;
  throw refuse(`${key}: ${show(given)}`, `one of ${Object.keys(known).join(', ')}`);
}

function refuse(given: string, expected: string, cause?: unknown): MetheusError {
  return new MetheusError('METHEUS_INVALID_OPTIONS', {
    given: `${given} in tls_server_config`,
    expected,
    cause,
  });
}
