import * as pulumi from "@pulumi/pulumi";

/**
 * One box of the diagram, with the steps that make it. Its type is no longer than a Command's with its indent: the table of
 * `up` has columns for type, name and status, and what is left of 80 columns shows how far a step is.
 */
export abstract class Part extends pulumi.ComponentResource {
  /** @param was its name in stacks that were made before it had this one */
  constructor(kind: string, name: string, opts?: pulumi.ComponentResourceOptions, was = name) {
    // Under the longer type of earlier versions it is the same resource, not a new one.
    const aliases = [{ type: `bootstrap-pxe:index:${kind}`, name: was }];
    super(`pxe:part:${kind}`, name, {}, { ...opts, aliases });
  }
}
