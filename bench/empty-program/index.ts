import { local } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";

const word = new pulumi.Config().require("word");
const command = new local.Command("command", { create: "cat", stdin: word });

/** What the command printed. */
export const said = command.stdout;
