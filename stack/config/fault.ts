/** One thing that is wrong with one key. */
export interface Fault {
  key: string;
  value: string | undefined;
  wrong: string;
  right: string;
}

/** Every fault of a stack's config at once, one a line. */
export class ConfigError extends Error {
  override name = "ConfigError";
  constructor(
    readonly faults: Fault[],
    stack: string,
  ) {
    const lines = faults.map(({ key, value, wrong, right }) => {
      const shown = value === undefined ? "is not set" : `= ${JSON.stringify(value)}`;
      return `  ${key} ${shown}: ${wrong}. Right: ${right}`;
    });
    const count = faults.length === 1 ? "a fault" : `${faults.length} faults`;
    super(
      `The config of the stack ${stack} has ${count}:\n${lines.join("\n")}\n` +
        `Set a key with: npm run pulumi -- config set KEY VALUE --stack ${stack}`,
    );
  }
}
