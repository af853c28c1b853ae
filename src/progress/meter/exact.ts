/** Arithmetic that keeps Python's integers apart from its floats, and exact at any size. */

import { Float } from './format-spec.js';

/** An integer, or a {@link Float}; a number that is whole counts as an integer. */
export type Quantity = number | bigint | Float;

/** A product with something that Python holds as a float is a float, whole or not; one of integers is exact. */
export function scaleBy(value: number | Float, scale: number): Quantity {
  if (value instanceof Float) return new Float(value.value * scale);
  const product = value * scale;
  if (!Number.isInteger(value) || !Number.isInteger(scale)) return new Float(product);
  return Number.isSafeInteger(product) ? product : BigInt(value) * BigInt(scale);
}

/** As a float64. */
export function plain(value: Quantity): number {
  return value instanceof Float ? value.value : Number(value);
}

/** A difference, which is exact for integers of any size. */
export function minus(from: Quantity, amount: Quantity): number {
  const whole = (value: Quantity): value is number | bigint => {
    return typeof value === 'bigint' || Number.isInteger(value);
  };
  return whole(from) && whole(amount) ? Number(BigInt(from) - BigInt(amount)) : plain(from) - plain(amount);
}
