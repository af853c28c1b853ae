/** Authentication of requests: passwords, tokens, or a function of the program. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { type MetheusError, messageOf, missingPackage, warnOnce } from '../errors.js';
import { checkOptionNames, invalidValue } from '../model/options.js';

/** The fields of a request that decide whether it is answered. */
export interface AuthRequest {
  /** The header `Authorization`. */
  readonly authorization?: string | undefined;
  readonly method: string | undefined;
  readonly url: string | undefined;
}

/** Credentials. A request needs one of them. */
export interface AuthCredentials {
  /** A token, or several: `Authorization: Bearer …`. */
  readonly bearer?: string | readonly string[];
  /** Names of users and the bcrypt hashes of their passwords. Needs the package `bcrypt`. */
  readonly users?: Readonly<Record<string, string>>;
}

/** Credentials, or a function that reports whether a request is answered. */
export type Auth = AuthCredentials | ((request: AuthRequest) => boolean | Promise<boolean>);

/** The decision about a request. `busy`: it was not checked, since too many passwords are being checked. */
export type Verdict = 'accepted' | 'refused' | 'busy';

/** Decides about a request. Never rejects. */
export interface Authenticator {
  (request: AuthRequest): Promise<Verdict>;
  /** The header `WWW-Authenticate` of a refusal. */
  readonly challenge: string;
}

/** Compares a password with a bcrypt hash, in the thread pool of Node. */
type Compare = (password: string, hash: string) => Promise<boolean>;

/** Maximum results of comparisons that are kept, as in Prometheus' exporter-toolkit. */
const MAX_CACHED = 100;
/** Maximum passwords that are compared at the same time. Each may occupy a thread of Node's pool for seconds. */
const MAX_COMPARING = 2;
/** Maximum passwords that wait. Further requests are refused, so that guesses do not use up all requests in flight. */
const MAX_WAITING = 20;

const BCRYPT = /^\$2[aby]?\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Salt and hash that are compared for unknown users, at the cost of the known ones, so that both take equal time. */
const UNKNOWN_USER = 'QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi';

/**
 * Creates a function that decides about requests.
 *
 * @throws `METHEUS_INVALID_OPTIONS`, `METHEUS_DEPENDENCY_MISSING`
 */
export async function createAuthenticator(auth: Auth): Promise<Authenticator> {
  if (typeof auth === 'function') {
    return Object.assign(async (request: AuthRequest) => judge(auth, request), { challenge: 'Bearer' });
  }
  checkOptionNames('auth', auth, ['bearer', 'users']);
  const { bearer = [], users = {} } = auth;
  const tokens = typeof bearer === 'string' ? [bearer] : bearer;
  if (!Array.isArray(tokens) || !tokens.every((token) => typeof token === 'string' && token !== '')) {
    throw secretOption('bearer', 'a token or an array of tokens, none of them empty');
  }
  const hashes = new Map(Object.entries(users));
  for (const [user, hash] of hashes) {
    if (typeof hash === 'string' && BCRYPT.test(hash) && !user.includes(':')) continue;
    throw secretOption(`users.${user}`, "a bcrypt hash such as '$2y$10$…', of a user without a colon");
  }
  if (tokens.length === 0 && hashes.size === 0) throw secretOption('auth', 'a token or a user');
  const isToken = tokenCheck(tokens);
  const passwords = hashes.size > 0 ? new Passwords(hashes, await importBcrypt()) : undefined;
  const authenticate = async ({ authorization = '' }: AuthRequest): Promise<Verdict> => {
    const [, scheme = '', given = ''] = /^(\w+) +(.*)$/.exec(authorization) ?? [];
    if (/^bearer$/i.test(scheme)) return isToken(given) ? 'accepted' : 'refused';
    if (/^basic$/i.test(scheme) && passwords !== undefined) return passwords.check(given);
    return 'refused';
  };
  return Object.assign(authenticate, { challenge: passwords === undefined ? 'Bearer' : 'Basic' });
}

async function judge(
  accepts: Extract<Auth, (...given: never) => unknown>,
  request: AuthRequest,
): Promise<Verdict> {
  try {
    // Only `true` accepts a request, so that a function without `return` refuses it.
    return (await accepts(request)) === true ? 'accepted' : 'refused';
  } catch (error) {
    warnOnce('auth', `Requests for metrics are refused, since auth has failed: ${messageOf(error)}`);
    return 'refused';
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Returns a function that reports whether a token is known. Its running time does not depend on the known tokens. */
function tokenCheck(tokens: readonly string[]): (given: string) => boolean {
  const known = tokens.map(digest);
  return (given) => {
    const own = digest(given);
    return known.reduce((isKnown, other) => timingSafeEqual(own, other) || isKnown, false);
  };
}

/** Users with passwords. Results are kept, since bcrypt is slow by design. */
class Passwords {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #compare: Compare;
  /** The hash that is compared for unknown users. */
  readonly #unknown: string;
  /** The results of earlier comparisons, oldest first. */
  readonly #known = new Map<string, Promise<boolean>>();
  readonly #waiting: (() => void)[] = [];
  #comparing = 0;

  constructor(hashes: ReadonlyMap<string, string>, compare: Compare) {
    this.#hashes = hashes;
    this.#compare = compare;
    const costs = Array.from(hashes.values(), (hash) => BCRYPT.exec(hash)![1]!);
    this.#unknown = `$2b$${costs.sort().at(-1)}$${UNKNOWN_USER}`;
  }

  /** @param given - user and password as in the header, in base64 */
  async check(given: string): Promise<Verdict> {
    const text = Buffer.from(given, 'base64').toString();
    const colon = text.indexOf(':');
    if (colon < 0) return 'refused';
    const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
    const hash = this.#hashes.get(user) ?? this.#unknown;
    const key = digest(JSON.stringify([user, hash, password])).toString('latin1');
    let result = this.#known.get(key);
    if (result === undefined) {
      if (this.#waiting.length >= MAX_WAITING) return 'busy';
      result = this.#compareInTurn(password, hash);
      this.#known.set(key, result);
      if (this.#known.size > MAX_CACHED) this.#known.delete(this.#known.keys().next().value!);
    }
    return (await result) && this.#hashes.has(user) ? 'accepted' : 'refused';
  }

  async #compareInTurn(password: string, hash: string): Promise<boolean> {
    if (this.#comparing >= MAX_COMPARING) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#comparing += 1;
    try {
      // The package reads `$2b$`, which has the same meaning as `$2y$`.
      return await this.#compare(password, hash.replace(/^\$2y?\$/, '$2b$'));
    } catch {
      return false;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#comparing -= 1;
      else next();
    }
  }
}

/** Returns the error of an invalid option whose value is a secret. */
function secretOption(option: string, expected: string): MetheusError {
  return invalidValue(option, '…', expected);
}

/** @throws `METHEUS_DEPENDENCY_MISSING` */
async function importBcrypt(): Promise<Compare> {
  try {
    const { compare } = await import('bcrypt');
    return compare;
  } catch (cause) {
    throw missingPackage('bcrypt', 'bcrypt, with which passwords are checked', cause);
  }
}
