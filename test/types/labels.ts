/**
 * Programs that must compile and programs that must not: `@ts-expect-error` is above each line that must not. The tests
 * compile this file and never run it.
 */
import {
  Counter,
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  createStateSet,
  createSummary,
  type Gauge,
  Histogram,
  Info,
  type Labels,
  type ObservableCounter,
  type ObservableGauge,
  type Registrable,
  StateSet,
} from 'metheus';

/** Fails to compile unless both types are the same. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(yes: Same<A, B>): void;

const plain = createCounter('plain_total', 'Plain.');
const three = createCounter('three_total', 'Three.', { requiredLabels: ['method', 'route', 'status'] });
const two = createGauge('two', 'Two.', {
  requiredLabels: ['method', 'status'],
  defaultLabels: { status: '200' },
});
const whole = createSummary('whole', 'Whole.', {
  requiredLabels: ['a', 'b'],
  defaultLabels: { a: 1, b: true },
});

export function missingLabels(): void {
  plain.inc();
  // @ts-expect-error
  three.inc();
  // @ts-expect-error
  three.get();
  // @ts-expect-error
  three.countErrors(() => {});
  // @ts-expect-error
  three.labels({ method: 'GET' }).inc();
  // @ts-expect-error
  three.labels({ method: 'GET', route: '/' }).inc();
  three.labels({ method: 'GET', route: '/', status: 200 }).inc();
  three.labels({ status: 200 }).labels({ route: '/', method: 'GET' }).inc();
  // @ts-expect-error
  three.labels({}).inc();
  three.labels({}).labels({ method: 'GET' }).labels({}).labels({ route: '/', status: 200 }).inc();
  three.labels({ method: 'GET' }).remove();
  three.remove({ method: 'GET', status: 500 });
  three.clear();
}

export function defaults(): void {
  // @ts-expect-error
  two.set(1);
  // @ts-expect-error
  two.labels({ status: '500' }).set(1);
  two.labels({ method: 'GET' }).set(1);
  two.labels({ method: 'GET' }).labels({ status: 500 }).set(1);
  whole.observe(1);
  whole.labels({ a: 2 }).observe(1);
  whole.labels({ a: 2 }).labels({ b: 2 }).observe(1);
  whole.labels({}).observe(1);
  // @ts-expect-error
  createCounter('c_total', 'C.', { requiredLabels: ['a'], defaultLabels: { b: 1 } });
  // @ts-expect-error
  createCounter('c_total', 'C.', { requiredLabels: ['a'], defaultLabels: { a: 1, b: 1 } });
  // @ts-expect-error
  createCounter('c_total', 'C.', { defaultLabels: { b: 1 } });
  // @ts-expect-error
  createCounter('c_total', 'C.', { requiredLabels: ['a'], defaultLabels: { a: null } });
}

export function unknownLabels(): void {
  // @ts-expect-error
  three.labels({ path: '/' });
  // @ts-expect-error
  three.labels({ method: 'GET', path: '/' });
  // @ts-expect-error
  plain.labels({ method: 'GET' });
  // @ts-expect-error
  three.remove({ path: '/' });
  const given = { method: 'GET', path: '/' };
  // @ts-expect-error
  three.labels(given);
}

export function twice(): void {
  // @ts-expect-error
  three.labels({ method: 'GET' }).labels({ method: 'PUT' });
  // @ts-expect-error
  three.labels({ method: 'GET', route: '/', status: 1 }).labels({ status: 2 });
  // @ts-expect-error
  two.labels({ method: 'GET', status: 500 }).labels({ status: 200 });
  // @ts-expect-error
  three.labels({ method: 'GET' }).remove({ method: 'PUT' });
}

export function values(maybe: string | undefined, optional: { method?: string; route: string }): void {
  // @ts-expect-error
  three.labels({ method: null });
  // @ts-expect-error
  three.labels({ method: {} });
  // @ts-expect-error
  three.labels({ method: 1n });
  // @ts-expect-error
  three.labels('GET');
  // @ts-expect-error
  three.labels();
  three.labels({ method: 1, route: true, status: '' }).inc();
  // @ts-expect-error
  plain.inc('3');
  // @ts-expect-error
  plain.inc(1n);
  // @ts-expect-error
  two.labels({ method: 'GET' }).set('x');
  // @ts-expect-error
  two.labels({ method: 'GET' }).set();
  // @ts-expect-error
  whole.observe();
  // @ts-expect-error
  three.labels({ method: maybe, route: '/', status: 200 }).inc();
  // @ts-expect-error
  three.labels({ ...optional, status: 200 }).inc();
  three
    .labels({ ...optional, status: 200 })
    .labels({ method: 'GET' })
    .inc();
}

// biome-ignore lint/suspicious/noExplicitAny: this is what untyped packages give to users
export function anyValues(any: any, optional: { status?: number; method: string }): void {
  three.labels({ method: any, route: any.path ?? 'unknown', status: 200 }).inc();
  // @ts-expect-error: status is missing
  three.labels({ method: any, route: '/' }).inc();
  // @ts-expect-error: there is no label 'path', and route is missing
  three.labels({ method: any, path: any, status: 200 }).inc();
  three.labels(any).inc();
  build.labels({ version: any }).info();
  build.info({ version: any });
  // A label with a default may be left out.
  two.labels(optional).set(1);
  two.labels(optional).labels({ status: 500 }).set(1);
  // @ts-expect-error
  two.labels({ method: 'GET', status: undefined });
  const dynamic = createCounter('dynamic_total', 'D.', { requiredLabels: [] as string[] });
  dynamic.labels(any).inc();
  dynamic.labels({ method: any }).inc();
  const all = { method: 'GET', route: '/', status: 200, path: '/' };
  // @ts-expect-error
  three.labels(all);
}

export function unknownNames(record: Record<string, string>, labels: Labels, names: string[]): void {
  // @ts-expect-error
  three.labels(record).inc();
  // @ts-expect-error
  three.labels(labels).inc();
  // Names only known at run time are not checked.
  const dynamic = createCounter('dynamic_total', 'D.', { requiredLabels: names });
  dynamic.labels(record).inc();
  dynamic.labels(labels).inc();
  dynamic.labels({ anything: 1 }).labels({ else: 2 }).inc();
  // @ts-expect-error
  dynamic.inc();
  // @ts-expect-error
  dynamic.labels({ anything: null });
}

export function parameters(): void {
  const takesObservable = (counter: ObservableCounter) => counter.inc();
  const takesPlain = (counter: Counter) => counter.inc();
  const takesOpen = (counter: Counter<'status'>) => {
    counter.inc();
    counter.labels({ status: 500 }).inc();
  };
  const takesMissing = (counter: Counter<'method', 'method'>) => counter.labels({ method: 'GET' }).inc();
  const takesGauge = (gauge: ObservableGauge) => gauge.set(1);
  const takesSource = (source: Registrable) => source;

  const withDefault = createCounter('d_total', 'D.', {
    requiredLabels: ['method', 'status'],
    defaultLabels: { status: 200 },
  });
  takesPlain(plain);
  takesObservable(plain);
  takesObservable(withDefault.labels({ method: 'GET' }));
  takesOpen(withDefault.labels({ method: 'GET' }));
  takesObservable(three.labels({ method: 'GET', route: '/', status: 200 }));
  takesPlain(three.labels({ method: 'GET', route: '/', status: 200 }));
  takesMissing(createCounter('m_total', 'M.', { requiredLabels: ['method'] }));
  takesMissing(three.labels({ route: '/', status: 200 }));
  takesSource(three);
  takesSource(three.labels({ method: 'GET' }));
  // @ts-expect-error
  takesObservable(three);
  // @ts-expect-error
  takesPlain(withDefault);
  // @ts-expect-error
  takesOpen(three.labels({ method: 'GET' }));
  // @ts-expect-error
  takesMissing(three);
  // @ts-expect-error
  takesGauge(plain);

  const kept: Counter<'method' | 'route' | 'status', 'method' | 'route' | 'status'> = three;
  kept.labels({ method: 'GET', route: '/', status: 200 }).inc();
  const gauge: Gauge<'method' | 'status', 'method'> = two;
  gauge.labels({ method: 'GET' }).dec();
}

export function classes(): void {
  const made = new Counter('made_total', 'Made.', { requiredLabels: ['a'] });
  same<typeof made, Counter<'a', 'a'>>(true);
  // @ts-expect-error
  made.inc();
  made.labels({ a: 1 }).inc();
  const histogram: Histogram = new Histogram('h', 'H.', { buckets: [1, 2] });
  histogram.observe(1);
  // @ts-expect-error
  new Histogram('h', 'H.', { buckets: 3 });
  // @ts-expect-error
  new Counter('c_total', 'C.', { buckets: [1] });
  // @ts-expect-error
  new Counter('c_total');
  // @ts-expect-error
  createGauge('g', 'G.', { multiprocessMode: 'average' });
  // @ts-expect-error
  createCounter('c_total', 'C.', { requiredlabels: ['a'] });
  // @ts-expect-error
  createCounter('c_total', 'C.', { registry: {} });
  createCounter('c_total', 'C.', { registry: null });
}

const timed = createHistogram('timed_seconds', 'Timed.');
const errors = createCounter('errors_total', 'Errors.');
const active = createGauge('active', 'Active.');

export class Decorated {
  @timed.time
  @active.trackInProgress
  @errors.countErrors
  noArguments(): number {
    return 1;
  }

  @timed.timed
  @errors.countErrors
  @active.trackInProgress
  @active.time
  async later(a: number, b?: string): Promise<string> {
    return `${a}${b}`;
  }

  // @ts-expect-error: a metric that misses a label cannot count errors
  @three.countErrors
  wrong(): void {}
}

export function passingThrough(): void {
  same<string, ReturnType<typeof text>>(true);
  function text() {
    same<ReturnType<typeof parse>, number>(true);
    const parse = errors.countErrors([SyntaxError, RangeError])((text: string) => text.length);
    same<typeof counted, string>(true);
    const counted = errors.countErrors(() => 'text', [SyntaxError, RangeError]);
    using _tracked = active.trackInProgress();
    // @ts-expect-error: not a class
    errors.countErrors(() => 'text', 'SyntaxError');
    // @ts-expect-error: not classes
    errors.countErrors(['SyntaxError']);
    return timed.time(() => 'text');
  }
  const promise: Promise<number> = active.trackInProgress(async () => 3);
  void promise;
  errors.countErrors(() => 1, TypeError);
  class Abstract extends Error {}
  errors.countErrors(() => 1, Abstract);
  // @ts-expect-error
  errors.countErrors(() => 1, 'TypeError');
  // @ts-expect-error
  timed.time(3);
  // @ts-expect-error: a wrapped function keeps the types of its arguments
  timed.timed((a: number) => a)('x');
  const length: number = timed.timed((a: string) => a.length)('x');
  void length;
  using timer = timed.startTimer();
  timer.stop();
}

const build = createInfo('build', 'Build.', {
  requiredLabels: ['version', 'commit'],
  defaultLabels: { commit: 'none' },
});

export function infos(): void {
  build.info({ version: '1', commit: 'ab12' });
  build.info({ version: 1 });
  build.labels({ version: '1' }).info();
  build.labels({ version: '1' }).info({ commit: 'x' });
  build.labels({ commit: 'x' }).info({ version: 1 });
  build.remove({ version: '1' });
  createInfo('flag', 'Flag.').info();
  const kept: Info<'version' | 'commit', 'version'> = build;
  void kept;
  new Info('build', 'Build.', { requiredLabels: ['a'] }).info({ a: 1 });
  // @ts-expect-error
  build.info();
  // @ts-expect-error
  build.info({ commit: 'x' });
  // @ts-expect-error
  build.info({ version: '1', release: 'x' });
  // @ts-expect-error: the version already has a value
  build.labels({ version: '1' }).info({ version: '2' });
  // @ts-expect-error
  build.labels({ release: 'x' });
  // @ts-expect-error: infos have no unit
  createInfo('build', 'Build.', { unit: 'seconds' });
  // @ts-expect-error
  build.inc();
}

const states = createStateSet('door', 'Door.', { states: ['open', 'shut'] });
const rooms = createStateSet('door', 'Door.', {
  states: ['open', 'shut'],
  requiredLabels: ['floor', 'side'],
  defaultLabels: { side: 'front' },
});

export function statesets(): void {
  states.set('open');
  states.enable('shut');
  states.disable('open');
  same<Readonly<Record<'open' | 'shut', boolean>>, ReturnType<typeof states.get>>(true);
  rooms.labels({ floor: 1 }).set('shut');
  const kept: StateSet<'open' | 'shut', 'floor' | 'side', 'floor'> = rooms;
  void kept;
  new StateSet('door', 'Door.', { states: ['open'], registry: null }).set('open');
  // @ts-expect-error
  states.set('ajar');
  // @ts-expect-error
  states.set();
  // @ts-expect-error
  rooms.set('open');
  // @ts-expect-error: the label of the state is hidden
  rooms.labels({ floor: 1, door: 'open' });
  // @ts-expect-error
  createStateSet('door', 'Door.', {});
  // @ts-expect-error: statesets have no unit
  createStateSet('door', 'Door.', { states: ['open'], unit: 'seconds' });
  // @ts-expect-error: a limit would split a set
  createStateSet('door', 'Door.', { states: ['open'], maxSeries: 3 });
}

export function exemplars(): void {
  plain.inc(1, { trace_id: 'a', n: 1 });
  timed.observe(1, { trace_id: 'a' });
  createCounter('c_total', 'C.', { exemplars: () => undefined }).inc();
  createHistogram('h', 'H.', { exemplars: () => ({ trace_id: 'a' }), buckets: [1] }).observe(1);
  // @ts-expect-error
  plain.inc(1, 'a');
  // @ts-expect-error
  timed.observe(1, { trace_id: undefined });
  // @ts-expect-error
  createGauge('g', 'G.', { exemplars: () => undefined });
  // @ts-expect-error
  createCounter('c_total', 'C.', { exemplars: 'opentelemetry' });
}

export function anyNames(): void {
  const dotted = createCounter('http.requests_total', 'h', {
    requiredLabels: ['http.route', 'code'],
    defaultLabels: { code: 200 },
    utf8Names: true,
  });
  dotted.labels({ 'http.route': '/' }).inc();
  // @ts-expect-error: http.route is missing
  dotted.labels({ code: 500 }).inc();
  // @ts-expect-error: unknown label
  dotted.labels({ http_route: '/' });
}
