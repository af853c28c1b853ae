/** A bar's line, whatever the user gave to show on it. */

import { warnOnce } from '../../errors.js';
import { formatLine, type MeterOptions } from '../meter/meter.js';

/** What has a line. */
export interface LinedBar {
  readonly formatDict: MeterOptions;
  toString(): string;
}

/**
 * The line to draw. Frames are drawn from the program's loop, from timers, on signals and at the end of the process:
 * a postfix that throws when it is made text must end none of them. It is left out, after one warning.
 */
export function drawnLine(bar: LinedBar): string {
  try {
    return bar.toString();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warnOnce(
      'progress-line',
      `A progress bar cannot make its line (${reason}): it is drawn without postfix, counting goes on.`,
    );
  }
  try {
    const dict = bar.formatDict;
    return formatLine({ ...dict, postfix: null }, dict);
  } catch {
    return '';
  }
}
