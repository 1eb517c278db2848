import * as z from "zod";
import { REGISTRY_PORT } from "../../stack/ports";
import { proxiesOf } from "./hosts";
import { part } from "./lenient";
import type { Proxying } from "./node-config";
import { applianceOf, isIn, type Surroundings } from "./surroundings";

const Variables = part(z.record(z.string(), z.unknown()));
const Sections = z.object({ machine: z.object({ env: Variables }) });
const Environment = z.object({ kind: z.literal("EnvironmentConfig"), variables: Variables });

/** Reads what plain HTTP goes through from a machine config, in v1alpha1's sections or in documents. */
export function proxying(documents: unknown[]): Proxying {
  const variables = documents
    .flatMap((each) => [
      Sections.safeParse(each).data?.machine.env,
      Environment.safeParse(each).data?.variables,
    ])
    .flatMap((each) => Object.entries(each ?? {}));
  const named = (wanted: RegExp) => variables.filter(([name]) => wanted.test(name));
  return {
    proxies: named(/^http_proxy$/i).flatMap(([name, value]) => proxiesOf({ [name]: value })),
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
