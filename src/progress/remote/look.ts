/** The settings of a bar as the bytes of a slot. */

import type { BarSettings } from '../bar/frame.js';
import { plainPostfix } from '../meter/postfix.js';

/** Settings of a bar but for those that only its own thread needs, and the name of the error that failed it. */
export type SlotSettings = Omit<BarSettings, 'maxinterval' | 'miniters' | 'smoothing' | 'delay'> & {
  readonly error?: string | undefined;
};

const encoder = new TextEncoder();

/** Lengths that texts are cut to, one after the other, until the settings fit. */
const LIMITS = [Number.POSITIVE_INFINITY, 400, 100, 20, 0];

/**
 * Returns the settings as JSON of at most `capacity` bytes. Texts that are longer than any screen is wide are cut; a
 * format is left out whole.
 */
export function encodeSettings(given: SlotSettings, capacity: number): Uint8Array {
  const { maxinterval, miniters, smoothing, delay, ...settings } = {
    ...(given as BarSettings),
    postfix: plainPostfix(given.postfix),
  };
  let bytes = new Uint8Array();
  for (const limit of LIMITS) {
    const fit = limit === Number.POSITIVE_INFINITY ? settings : cut(settings, limit);
    bytes = encoder.encode(JSON.stringify(fit));
    if (bytes.length <= capacity) break;
  }
  return bytes;
}

function cut(settings: SlotSettings, limit: number): SlotSettings {
  const { postfix, ascii, barFormat } = settings;
  const short = (text: string) => text.slice(0, limit);
  return {
    ...settings,
    desc: short(settings.desc),
    unit: short(settings.unit),
    postfix: typeof postfix === 'number' ? postfix : short(String(postfix ?? '')),
    ascii: typeof ascii === 'string' && ascii.length > limit ? false : ascii,
    barFormat: barFormat !== null && barFormat.length > limit ? null : barFormat,
    colour: settings.colour === null ? null : short(settings.colour),
  };
}
