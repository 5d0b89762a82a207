/** Constants that `build.py` writes into the bundle. */

/** The style sheet, minified. */
export const LOOK: string;
