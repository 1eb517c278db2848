import { createHash } from "node:crypto";
import tar, { type Pack } from "tar-stream";
import { certificatesValidFrom } from "../talos/certificates";
import { patched } from "../talos/config-patch";
import { decrypt, type SecretFile } from "../programs/sops";
import { squashfs } from "./squashfs";
import type { StepContext } from "../frame/context";
import { StepError } from "../frame/step-error";

/** The group www-data, which nginx runs as: 33 on Debian and Ubuntu alike (base-passwd). */
const WWW_DATA = 33;
const fixed = { mtime: new Date(0), uid: 0, gid: 0 };

export interface Site {
  /** Rendered files of files/, by name. */
  files: Record<string, string>;
  machineConfig: string;
  talosConfig?: string;
  /** crypt(3) hash of root's password on the appliance's console. */
  consoleHash: string;
}

/**
 * The site layer as a tar: what this one mini-PC needs, the secrets readable by nginx's group alone.
 * The same site gives the same bytes.
 */
export function siteTar(site: Site): Pack {
  const pack = tar.pack();
  const folder = (name: string, mode = 0o755, gid = 0) =>
    pack.entry({ ...fixed, name, type: "directory", mode, gid });
  const file = (name: string, text: string, mode = 0o644, gid = 0) =>
    pack.entry({ ...fixed, name, mode, gid }, text);
  folder("configs", 0o750, WWW_DATA);
  file("configs/minipc.yaml", site.machineConfig, 0o640, WWW_DATA);
  if (site.talosConfig) file("configs/talosconfig", site.talosConfig, 0o640, WWW_DATA);
  // The appliance's clock starts no earlier. Of the config's content, not of the day, so that the same site is the same layer.
  file("valid-from", `${certificatesValidFrom(site.machineConfig)}\n`);
  file("console.shadow", `${site.consoleHash}\n`, 0o600);
  folder("http");
  for (const [name, text] of Object.entries(site.files).sort()) {
    file(name === "boot.ipxe" ? "http/boot.ipxe" : name, text, name === "netplan.yaml" ? 0o600 : 0o644);
  }
  pack.finalize();
  return pack;
}

/** What a site layer is made from. */
export interface SiteSources {
  /** Rendered files of files/, by name. */
  files: Record<string, string>;
  /** Encrypted, with the digest of what was checked when it was decrypted before. */
  machineConfig: { path: string; sha256: string };
  talosConfig?: { path: string; sha256: string };
  /** Patch to the machine config, which its digest is taken with; unset, there is none. */
  mirrorPatch?: string;
  ageKeyFile?: string;
  consoleHash?: string;
}

/** Decrypts again what was checked, and makes sure that it is still the same. */
async function secretText(
  context: StepContext,
  { ageKeyFile }: SiteSources,
  setKey: SecretFile["setKey"],
  file: { path: string; sha256: string },
  patch = "",
): Promise<string> {
  const plain = await decrypt(context, {
    path: file.path,
    ageKeyFile,
    allowPlaintext: true,
    setKey,
  });
  const text = patched(plain, patch);
  if (createHash("sha256").update(text).digest("hex") === file.sha256) return text;
  throw new StepError(`reading ${file.path}`, "it changed after it was checked", "Run the same again");
}

/** Decrypts the secrets and writes the site layer, a squashfs, to `path`. */
export async function writeSiteLayer(
  context: StepContext,
  sources: SiteSources,
  path: string,
): Promise<void> {
  const { files, consoleHash } = sources;
  if (!consoleHash)
    throw new StepError(
      "making the site layer",
      "CONSOLE_HASH is not in the environment",
      "Set it to a crypt(3) hash of the console's password",
    );
  const [machineConfig, talosConfig] = await Promise.all([
    secretText(context, sources, "machineConfig", sources.machineConfig, sources.mirrorPatch),
    sources.talosConfig && secretText(context, sources, "talosConfig", sources.talosConfig),
  ]);
  await squashfs(context, siteTar({ files, machineConfig, talosConfig, consoleHash }), path);
}
