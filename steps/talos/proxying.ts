import { REGISTRY_PORT } from "../../stack/ports";
import { proxiesOf } from "./hosts";
import type { Proxying, Variable } from "./node-config";
import { applianceOf, isIn, type Surroundings } from "./surroundings";

/** What plain HTTP goes through, as the environment of Talos's services says. */
export function proxying(variables: Variable[]): Proxying {
  const named = (wanted: RegExp) => variables.filter(([name]) => wanted.test(name));
  return {
    proxies: proxiesOf(named(/^http_proxy$/i)),
    except: named(/^no_proxy$/i).flatMap(([, value]) =>
      typeof value === "string" ? value.split(",").map((each) => each.trim()) : [],
    ),
  };
}

/** Whether the appliance's images are asked for through a proxy. */
export function isProxied({ proxies, except }: Proxying, around: Surroundings): boolean {
  const appliance = applianceOf(around);
  const own = ["*", appliance, `${appliance}:${REGISTRY_PORT}`];
  return proxies.length > 0 && !except.some((each) => own.includes(each) || isIn(each, appliance));
}
