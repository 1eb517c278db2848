import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as contract from "./contracts/check-files";
import { start } from "./programs/process";
import type { StepContext } from "./frame/context";
import { runStep } from "./frame/main";
import { StepError } from "./frame/step-error";

type Check = (folder: string) => { program: string; args: string[] };

/** nginx wants a whole configuration, and folders that it may write to. */
function nginxFrame(folder: string): string {
  const places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `pid ${folder}/nginx.pid; events {} http { access_log off; ${places.join(" ")} include ${folder}/nginx-bootstrap.conf; }`;
}

/** The program that each file is for, asked whether it can read it. */
const CHECKS: Record<string, Check> = {
  "dnsmasq.conf": (folder) => ({
    program: "dnsmasq",
    args: ["--test", `--conf-file=${folder}/dnsmasq.conf`],
  }),
  "nginx-bootstrap.conf": (folder) => ({
    program: "nginx",
    args: ["-t", "-q", "-p", folder, "-e", "stderr", "-c", `${folder}/nginx.conf`],
  }),
  "nftables.conf": (folder) => ({ program: "nft", args: ["--check", "--file", `${folder}/nftables.conf`] }),
  "chrony.conf": (folder) => ({ program: "chronyd", args: ["-p", "-f", `${folder}/chrony.conf`] }),
  "netplan.yaml": (folder) => ({ program: "netplan", args: ["generate", "--root-dir", `${folder}/netplan`] }),
};

/** nftables talks to the kernel even to check: in a network namespace of its own, where it can change nothing. */
function enclosed(program: string, args: string[]): [string, string[]] {
  if (program !== "nft") return [program, args];
  return ["unshare", [...(process.getuid?.() === 0 ? [] : ["--map-root-user"]), "--net", program, ...args]];
}

// execa hands `signal` to child_process.spawn, which its types do not say.
const options = (signal: AbortSignal) => ({ reject: false, stdin: "ignore", all: true, signal }) as const;

async function check(context: StepContext, name: string, folder: string): Promise<string | undefined> {
  const { program, args } = (CHECKS[name] as Check)(folder);
  const ended = await start(...enclosed(program, args), options(context.signal));
  if (ended.exitCode === 0) return undefined;
  if (ended.exitCode === undefined || /failed to execute|not found$/.test(ended.all ?? "")) {
    throw new StepError(
      `checking files/${name}`,
      `${program} is not on this machine`,
      "npm run setup brings it",
    );
  }
  const cannotStart = /error while loading shared libraries.*|.*version `[^']+' not found.*/.exec(
    ended.all ?? "",
  );
  if (cannotStart) {
    throw new StepError(
      `checking files/${name}`,
      `${program} cannot start on this machine: ${cannotStart[0].trim()}`,
      "npm run setup brings one that fits the system, if it is set-up's own; else install its package anew",
    );
  }
  if (program === "nft" && /Operation not permitted/.test(ended.all ?? "")) {
    context.log(
      "nftables.conf is not checked: that takes root, or user namespaces, which this machine forbids",
    );
    return undefined;
  }
  const words = (ended.all ?? "").trim().split("\n").slice(-2).join(" | ");
  return `files/${name}: ${program} says: ${words.replaceAll(`${folder}/`, "")}`;
}

/** nginx -t opens what it would listen on; a socket in the folder stands for an address that this machine lacks. */
function withLocalSocket(text: string, folder: string): string {
  return text.replace(/\blisten\s+[^\s;]+/g, `listen unix:${folder}/socket`);
}

void runStep("check-files", contract, async ({ files }, context) => {
  const folder = context.scratch;
  for (const [name, text] of Object.entries(files)) {
    await writeFile(
      join(folder, name),
      name === "nginx-bootstrap.conf" ? withLocalSocket(text, folder) : text,
    );
  }
  await writeFile(join(folder, "nginx.conf"), nginxFrame(folder));
  await mkdir(join(folder, "netplan/etc/netplan"), { recursive: true });
  await writeFile(join(folder, "netplan/etc/netplan/60-bootstrap.yaml"), files["netplan.yaml"] ?? "", {
    mode: 0o600,
  });
  const names = Object.keys(CHECKS).filter((name) => name in files);
  const faults = (await Promise.all(names.map((name) => check(context, name, folder)))).filter(
    (fault) => fault !== undefined,
  );
  if (faults.length > 0)
    throw new StepError("checking the service files", faults.join("; "), "Fix the template in files/");
  return { checked: names };
});
