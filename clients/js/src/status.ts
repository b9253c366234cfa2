/**
 * `connecting`: nothing to show yet. `live`: the state is the relay's. `doubtful`: it was, but a sign of
 * life is missing, and soon it is live again or lost. `resuming`: the last known state is there, and an
 * attempt to come back is under way. `offline`: waiting for the next attempt, or ended.
 */
export type Status = "connecting" | "live" | "doubtful" | "resuming" | "offline";

/** The same of one channel. `idle`: nobody follows it here. `refused`: the relay does not let this client follow it. */
export type ChannelStatus = Status | "idle" | "refused";
