/** A failure meant for the person at the terminal: one line, without a stack trace. */
export class StepError extends Error {
  /**
   * @param doing what was being done, e.g. `reading the Talos ISO artifacts/…`
   * @param found what was found instead
   * @param next what to do now
   * @param options its cause, for who handles it
   */
  constructor(doing: string, found: string, next: string, options?: ErrorOptions) {
    super(`${doing}: ${found}. ${next}`, options);
  }
}
