#include "support/update_source.h"

namespace syncrelay::testing {

Update UpdateSource::part(const std::string& channel, Seq seq) {
  Update update;
  if (!channel.empty()) {
    ChannelName& name = names_[channel];
    if (!name) name = std::make_shared<const std::string>(channel);
    update.channel = name;
  }
  update.seq = seq;
  return update;
}

Update UpdateSource::event(const std::string& channel, Seq seq, std::string_view text,
                           TimePoint accepted) {
  Update update = part(channel, seq);
  const LogWriter::Written written = writer_.append({&text, 1});
  update.chunk = written.chunk;
  update.position = written.position;
  update.size = written.size;
  update.accepted = accepted;
  return update;
}

Update UpdateSource::change(const std::string& channel, Seq last, const std::string& key,
                            const char* value) {
  Update update = part(channel, last);
  const StateValue text = value == nullptr ? nullptr : std::make_shared<const std::string>(value);
  update.changes = std::make_shared<const StateChanges>(StateChanges{{key, text}});
  return update;
}

Update UpdateSource::end(const std::string& channel, Seq last, ChannelEnd how) {
  Update update = part(channel, last);
  update.end = how;
  return update;
}

std::string event_text(const std::string& channel, const std::string& data, WallTime ts, Seq seq) {
  std::string text = R"({"type":"e")";
  if (!channel.empty()) text += R"(,"channel":")" + channel + '"';
  text += R"(,"data":)" + data + R"(,"ts":)";
  append_timestamp(text, ts);
  return text + R"(,"seq":)" + std::to_string(seq.value) + '}';
}

}  // namespace syncrelay::testing
