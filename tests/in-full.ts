/** Whether this run is `npm run test:boots` (jest.config.cjs). */
declare const IN_FULL: boolean;

/**
 * Cases of a test that takes long.
 *
 * @param all what `npm run test:boots` does
 * @param named what `npm test` does of it
 */
export function casesToRun<T>(all: Record<string, T>, named: string[]): [what: string, T][] {
  const unknown = named.filter((what) => !(what in all));
  if (unknown.length > 0) throw new Error(`no case is named so: ${unknown.join(", ")}`);
  return Object.entries(all).filter(([what]) => IN_FULL || named.includes(what));
}

/** As {@link casesToRun}, for cases that boot: `.ci/run` does those of `npm test` once, and says so to `npm run test:boots`. */
export function bootsToRun<T>(all: Record<string, T>, named: string[]): [what: string, T][] {
  const cases = casesToRun(all, named);
  const isRepeated = IN_FULL && process.env.NPM_TEST_WENT_BEFORE === "yes";
  return isRepeated ? cases.filter(([what]) => !named.includes(what)) : cases;
}
