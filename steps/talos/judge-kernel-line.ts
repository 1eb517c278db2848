import ipaddr from "ipaddr.js";
import { warning, type Finding } from "../../stack/finding";

/** A static address in Talos's `ip=`, whose first field it is, an IPv6 address in brackets; dhcp and off are none. */
function hasAddress(value: string): boolean {
  const [, bracketed, plain = ""] = /^(?:\[([^\]]*)\]|([^:]*))(?::|$)/.exec(value) ?? [];
  return ipaddr.isValid(bracketed ?? plain) && !/:dhcp(:|$)/.test(value);
}

const NETWORK: Record<string, (value: string) => boolean> = {
  ip: hasAddress,
  bond: () => true,
  vlan: () => true,
  "talos.network.interface.ignore": () => true,
};

/**
 * What a mini-PC's kernel line says that may keep it from its lease or its config. Talos reads dracut's network arguments, and
 * then asks by DHCP on none of those links by itself (internal/app/machined/pkg/controllers/network/cmdline.go); it takes a
 * config of the line before that of talos.config (controllers/config/acquire.go), and fetches that only once a person has
 * logged in where the line says how (platform/metal/oauth2).
 *
 * @param line the arguments, those of the ISO and those of `kernelArgs`
 */
export function judgeKernelLine(line: readonly string[]): Finding[] {
  const parts = line.map((argument) => {
    const [name = "", ...rest] = argument.split("=");
    return { name, argument, value: rest.join("=") };
  });
  const network = parts.filter(({ name, value }) => NETWORK[name]?.(value));
  const early = parts.some(({ name }) => name === "talos.config.early");
  const login = parts.some(({ name }) => name.startsWith("talos.config.oauth."));
  const dropped = "kernelArgs drops it with a - before its name";
  return [
    ...network.map(({ argument, name }) =>
      warning(
        "kernel-line",
        `the kernel line has ${argument}: Talos configures a NIC by that, and asks for no address by DHCP on it, so on the isolated ` +
          `link the mini-PC may not have its lease. Right only for another NIC. Of the ISO's own, ${dropped} (-${name})`,
      ),
    ),
    // Its value is a whole config, with its keys.
    ...(early
      ? [
          warning(
            "kernel-line",
            "the kernel line has a talos.config.early: Talos takes that config first, and a whole one in place of the one that the " +
              `appliance serves, which it then never fetches. Of the ISO's own, ${dropped} (-talos.config.early)`,
          ),
        ]
      : []),
    ...(login
      ? [
          warning(
            "kernel-line",
            "the kernel line has a talos.config.oauth: Talos waits for a person to log in before it fetches its config. " +
              `Of the ISO's own, ${dropped}`,
          ),
        ]
      : []),
  ];
}
