import { generateConfigs, type ConfigRequest, type GeneratedConfigs } from "../steps/talos/talos-config";
import { toolEnvironment } from "./tools";

/** Plain configs as the generator of a Talos release makes them: of v1.11.6, for a disk /dev/vda, unless another is given. */
export function talosConfigs(request: Partial<ConfigRequest> = {}): Promise<GeneratedConfigs> {
  process.env.PATH = toolEnvironment.PATH;
  const talosVersion = request.talosVersion ?? "v1.11.6";
  const context = { signal: new AbortController().signal, scratch: "", log: () => undefined };
  return generateConfigs(context, {
    cluster: "test",
    endpoint: "https://10.10.10.100:6443",
    talosVersion,
    installImage: `ghcr.io/siderolabs/installer:${talosVersion}`,
    installDisk: "/dev/vda",
    ...request,
  });
}
