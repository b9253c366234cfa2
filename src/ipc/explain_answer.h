#pragma once

#include <string>

#include "answer.h"
#include "explanations.h"

namespace syncrelay {

// What has happened to the newest connection of a client, and to those before it. Precondition:
// there is one.
std::string explain_answer(const AnswerContext& context, const Explanations::Done& done);

}  // namespace syncrelay
