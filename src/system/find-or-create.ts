/** The methods of `Map` and `WeakMap` that are used here. */
interface KeyedValues<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

/** Returns the value of a key. Creates and adds it if the map has none. */
export function findOrCreate<Key, Value>(map: KeyedValues<Key, Value>, key: Key, create: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}
