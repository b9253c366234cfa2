#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/channel/channel.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// A relay's history at one point of the order, as a copy that stays as it is and is made within
// milliseconds, whatever the values weigh: values and blocks of keys are the relay's own (State).
// So the relay's thread makes it and lets go of it; any one thread may read it meanwhile.
struct HistoryCopy {
  // When the value of this version goes by itself.
  struct End {
    std::uint64_t version;
    Duration left;  // from `now`; negative: it is over
    bool told;
  };
  struct Id {
    std::uint32_t size;  // of its text
    Seq seq;
    Duration accepted;
  };

  WallTime now;  // by the order's time
  Seq last;
  std::uint64_t events_ever = 0;
  std::uint64_t version = 0;
  Tombstones tombstones;
  std::vector<Channel> channels;  // the default one first
  std::vector<End> ends;
  std::vector<Id> ids;   // oldest first
  std::string id_texts;  // one behind the other
  std::vector<RelayId> dead;

  StoredHistory stored() const;

  // Lets go of some, which takes about a millisecond: what has been replaced since ends with it.
  // False: there is nothing left.
  bool shed();
};

}  // namespace syncrelay
