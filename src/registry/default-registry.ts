/** The registry of metrics that are created without the option `registry`. */
import { activeBackend, loadBackendFromEnvironment } from '../backends/active-backend.js';
import { MetheusError } from '../errors.js';
import {
  type CollectOptions,
  DEFAULT_REGISTRY,
  DEFAULT_SCOPE,
  isPrivateScope,
  type MetricSource,
  type Registerer,
} from '../model/collector.js';
import type { FamilyDescriptor, FamilySnapshot } from '../model/family.js';
import { CollectorRegistry, type Registrable } from './collector-registry.js';
import { CONTENTS, type RegistryContents, reaches } from './contents.js';

/** Delegates to the default registry, which can be replaced while other modules hold this object. */
class DefaultRegistry implements Registerer {
  #registry = new CollectorRegistry({ scope: DEFAULT_SCOPE });

  /** The current default registry. */
  get registry(): CollectorRegistry {
    return this.#registry;
  }

  /**
   * Makes another registry the default. Existing metrics stay in their registry. If the new default has neither scope
   * nor prefix, metrics that are created in it from now on have the empty scope, which is that of the default registry.
   *
   * @throws `METHEUS_INVALID_COLLECTOR` when the registry collects from the default registry
   */
  setRegistry(registry: CollectorRegistry): void {
    if (reaches(registry, this)) {
      throw new MetheusError('METHEUS_INVALID_COLLECTOR', {
        given: `${registry[CONTENTS].title}, which collects from the default registry, as the default registry`,
        expected: 'a registry that does not',
      });
    }
    this.#registry = registry;
  }

  get [CONTENTS](): RegistryContents {
    return this.#registry[CONTENTS];
  }

  get prefix(): string {
    return this.#registry.prefix;
  }

  get scope(): string {
    const { scope } = this.#registry;
    return isPrivateScope(scope) ? DEFAULT_SCOPE : scope;
  }

  register(source: Registrable): void {
    this.#registry.register(source);
  }

  has(source: Registrable): boolean {
    return this.#registry.has(source);
  }

  unregister(source: Registrable): boolean {
    return this.#registry.unregister(source);
  }

  findOrCreate<M extends MetricSource>(definition: () => string, family: FamilyDescriptor, make: () => M): M {
    return this.#registry.findOrCreate(definition, family, make);
  }

  collect(options?: CollectOptions): Promise<FamilySnapshot[]> {
    return this.#registry.collect(options);
  }
}

const global = globalThis as { [DEFAULT_REGISTRY]?: DefaultRegistry };

function findOrCreate(): DefaultRegistry {
  if (global[DEFAULT_REGISTRY] === undefined) {
    global[DEFAULT_REGISTRY] = new DefaultRegistry();
    // The backend is created now, so that it learns of every thread that starts later.
    activeBackend();
    loadBackendFromEnvironment();
  }
  return global[DEFAULT_REGISTRY];
}

/** The default registry: one for each thread, shared by every copy of this package that is loaded. */
export const REGISTRY: DefaultRegistry = findOrCreate();

export type { DefaultRegistry };
