import { readStackFile, sharedByStacks, stackFiles } from "../stack/stack-files";
import { TOP } from "../stack/top";
import type { StepContext } from "../steps/frame/context";
import { runProgram } from "../steps/frame/main";
import { clustersApart } from "../steps/talos/clusters";
import { ageIdentity, type Identity } from "./new/age-identity";
import { plan, type Answers } from "./new/answers";
import { decide } from "./new/decide";
import { controlPlaneOf, refuseWhatIsThere } from "./new/existing";
import { makeStack } from "./new/make";
import { outcome } from "./new/outcome";
import { Person } from "./new/person";
import { readRequest, type Request } from "./new/request";
import { Undo } from "./new/undo";

async function newStack(context: StepContext, request: Request): Promise<void> {
  const { stack } = request;
  const others = stackFiles(TOP).filter((file) => file.stack !== stack);
  await refuseWhatIsThere(stack, others);
  const { join: other } = request.answers;
  const joined = other ? await controlPlaneOf(context, other, others) : undefined;
  const today = new Date().toLocaleDateString("sv");
  const planOf = (answers: Answers) => plan(stack, answers, others, joined?.cluster, today);
  const person = process.stdin.isTTY && process.env.CI !== "true" ? new Person(context) : undefined;
  const { asked, makesIdentity } = await decide(person, request, planOf).finally(() => person?.leave());
  const undo = new Undo();
  let age: Identity;
  try {
    age = await ageIdentity(context, request, makesIdentity, undo);
    await makeStack(context, asked, joined?.text, age, undo);
  } catch (fault) {
    await undo.all();
    throw fault;
  }
  const shared = [...sharedByStacks([readStackFile(TOP, stack), ...others], stack), ...clustersApart(stack)];
  process.stderr.write(outcome(asked, age, shared));
}

void runProgram(
  "new",
  async (context) => {
    await newStack(context, readRequest());
    return undefined;
  },
  { asks: true },
);
