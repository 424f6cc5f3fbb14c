// What runs a handler in the cloud: asks for an event, calls, answers, and is frozen until the next one.
const { handler } = require("./dist/handler.js");

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

async function serve() {
  for (;;) {
    const next = await fetch(`${api}/next`);
    const id = next.headers.get("lambda-runtime-aws-request-id");
    const answer = await handler(await next.json());
    await fetch(`${api}/${id}/response`, { method: "POST", body: JSON.stringify(answer) });
  }
}

void serve();
