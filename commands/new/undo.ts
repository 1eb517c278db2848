/** Undoes what was made so far, the last step first. */
export class Undo {
  #steps: (() => unknown)[] = [];
  add(step: () => unknown): void {
    this.#steps.unshift(step);
  }
  async all(): Promise<void> {
    for (const step of this.#steps) await step();
  }
}
