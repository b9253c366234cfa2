import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { createSync } from "syncrelay/react";

const { SyncProvider, useSync, useSyncEvent, useSyncState } = createSync();
const relay = `ws://${location.hostname}:${new URLSearchParams(location.search).get("relay")}/ws/sync`;

function OnAir() {
  const radio = useSyncState("radio");
  const { status } = useSync();
  const [last, setLast] = useState("nothing");
  useSyncEvent("radio:started", (data) => setLast(data.track));
  return (
    <>
      <p id="status">{status}</p>
      <p id="radio">{radio?.track ?? "silence"}</p>
      <p id="last">{last}</p>
    </>
  );
}

createRoot(document.getElementById("root")).render(
  <StrictMode>
    <SyncProvider url={relay}>
      <OnAir />
    </SyncProvider>
  </StrictMode>,
);
