#pragma once

#include <string>

#include "syncrelay/post/story.h"

namespace syncrelay {

// What a record says to a person: a whole sentence. UTF-8; what clients made up stands in it as
// it is, so that who shows it has to escape it.
std::string sentence(const StoryRecord& record);

// The lines of a story as a JSON array: [{"ts":…,"what":"connected","text":"Connected from …"},…].
std::string story_lines(const Story& story);

}  // namespace syncrelay
