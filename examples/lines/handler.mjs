// Works tasks in Node: ./sluice work QUEUE --handler 'lines:node examples/lines/handler.mjs'
//
// One task per line of standard input, as a JSON object; one answer per task on standard output, the
// same. What is printed on standard error is logged by the worker, with the id of the task.
import { createInterface } from 'node:readline';

/** Returns the result; what it throws is a failed attempt, which is tried again. */
async function work(task) {
  if (task.payload?.impossible) {
    return { outcome: 'fail', message: 'it says so itself' };
  }
  console.error('working', task.payload);
  return { outcome: 'done', result: { length: JSON.stringify(task.payload).length } };
}

for await (const line of createInterface({ input: process.stdin })) {
  const task = JSON.parse(line);
  let answer;
  try {
    answer = await work(task);
  } catch (error) {
    answer = { outcome: 'retry', message: String(error) };
  }
  console.log(JSON.stringify({ id: task.id, ...answer }));
}
