// One event stream for the whole page. The browser resumes it after its last event; a stream that is refused is asked for again.

const TYPES = ["queued", "placing", "ringing", "in_progress", "ended", "turn", "postponed", "agent_ready", "extracted"].map((name) => `call.${name}`);
const AGAIN_MS = 2000;

export function follow(hear, changed, refused) {
  let source = null;
  let again = null;

  function open() {
    source = new EventSource("/v1/events");
    source.onopen = () => changed(true);
    source.onerror = async () => {
      changed(false);
      if (source.readyState !== EventSource.CLOSED) return;
      if (await refused()) return;
      again = setTimeout(open, AGAIN_MS);
    };
    for (const type of TYPES) source.addEventListener(type, (event) => hear(JSON.parse(event.data)));
  }

  open();
  return () => {
    clearTimeout(again);
    source.close();
  };
}
