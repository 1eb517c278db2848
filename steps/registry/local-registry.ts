import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { start } from "../programs/process";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

/** A registry that is up. */
export interface LocalRegistry {
  /** Its address, 127.0.0.1 with the port that it took. */
  address: string;
  /** The last of what it complained of; empty if of nothing. */
  complaint: () => string;
}

/** docker-registry takes each variable of this form for a part of its own config, as skopeo's REGISTRY_AUTH_FILE. */
const OVERRIDES = /^REGISTRY_/;

/** Its config, which JSON's subset of YAML is. Nobody else can know its port, and what it is given is checked when it is used. */
const configOf = (folder: string) =>
  JSON.stringify({
    version: 0.1,
    log: { level: "info", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: resolve(folder) },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: "127.0.0.1:0", secret: "of no use to anybody else" },
  });

/**
 * Does a piece of work while docker-registry keeps a store on a free port of loopback. It ends with the work, and with this process.
 *
 * @param folder the store
 */
export async function withRegistry<T>(
  context: StepContext,
  folder: string,
  work: (registry: LocalRegistry) => Promise<T>,
): Promise<T> {
  const config = join(context.scratch, "registry.json");
  await writeFile(config, configOf(folder));
  const overrides = Object.keys(process.env).filter((name) => OVERRIDES.test(name));
  const options: Parameters<typeof start>[2] & { signal: AbortSignal } = {
    env: Object.fromEntries(overrides.map((name) => [name, undefined])),
    stdin: "ignore",
    stdout: "ignore",
    // What it says is read line by line and not kept.
    buffer: false,
    signal: context.signal,
  };
  const args = ["--pdeathsig", "KILL", "--", "docker-registry", "serve", config];
  const child = start("setpriv", args, options);
  const ended = child.then(
    () => undefined,
    (fault: Error) => fault,
  );
  let complaint = "";
  let last = "";
  const address = new Promise<string>((found) => {
    createInterface({ input: child.stderr! }).on("line", (line) => {
      last = line;
      const listening = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (listening) found(listening);
      if (/level=error/.test(line)) complaint = line;
    });
  });
  try {
    const up = await Promise.race([address, ended]);
    context.signal.throwIfAborted();
    if (typeof up !== "string") {
      const isMissing = /failed to execute/.test(last);
      throw new StepError(
        "starting docker-registry",
        isMissing ? "the program is not on this machine" : last || "it ended at once",
        isMissing ? "npm run setup brings it" : "BOOTSTRAP_PXE_DEBUG=1 shows where",
      );
    }
    return await work({ address: up, complaint: () => complaint });
  } finally {
    child.kill("SIGTERM", { forceKillAfterTimeout: 2000 });
    await ended;
  }
}
