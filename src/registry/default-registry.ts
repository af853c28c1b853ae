/** The registry that metrics go to when none is named. */
import { activeBackend, loadBackendFromEnvironment } from '../backends/active-backend.js';
import { DEFAULT_REGISTRY, DEFAULT_SCOPE, type MetricSource, type Registerer } from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { CollectorRegistry, type Registrable } from './collector-registry.js';

/** Stands for the default registry, whichever that is, so that it can be replaced after it was imported. */
class DefaultRegistry implements Registerer {
  #registry = new CollectorRegistry({ scope: DEFAULT_SCOPE });

  /** The registry that is the default now. */
  get registry(): CollectorRegistry {
    return this.#registry;
  }

  /** Makes another registry the default. Metrics that were created before stay where they are. */
  setRegistry(registry: CollectorRegistry): void {
    this.#registry = registry;
  }

  get prefix(): string {
    return this.#registry.prefix;
  }

  get scope(): string {
    return this.#registry.scope;
  }

  register(source: Registrable): void {
    this.#registry.register(source);
  }

  unregister(source: Registrable): boolean {
    return this.#registry.unregister(source);
  }

  findOrCreate<M extends MetricSource>(definition: string, family: FamilyDescriptor, make: () => M): M {
    return this.#registry.findOrCreate(definition, family, make);
  }

  collect(): Promise<FamilySnapshot[]> {
    return this.#registry.collect();
  }
}

const global = globalThis as { [DEFAULT_REGISTRY]?: DefaultRegistry };

function findOrMake(): DefaultRegistry {
  if (global[DEFAULT_REGISTRY] === undefined) {
    global[DEFAULT_REGISTRY] = new DefaultRegistry();
    // From the first moment on: threads that are started from now on are heard and watched.
    activeBackend();
    loadBackendFromEnvironment();
  }
  return global[DEFAULT_REGISTRY];
}

/** The default registry: one for the whole thread, shared by every copy of this package that is loaded. */
export const REGISTRY: DefaultRegistry = findOrMake();

export type { DefaultRegistry };
