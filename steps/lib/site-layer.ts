import tar, { type Pack } from "tar-stream";

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
  file("console.shadow", `${site.consoleHash}\n`, 0o600);
  folder("http");
  for (const [name, text] of Object.entries(site.files).sort()) {
    file(name === "boot.ipxe" ? "http/boot.ipxe" : name, text, name === "netplan.yaml" ? 0o600 : 0o644);
  }
  pack.finalize();
  return pack;
}
