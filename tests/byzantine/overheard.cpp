#include "tests/byzantine/overheard.hpp"

#include <algorithm>

namespace hypermesh::testing {

void overheard::on_sent(const message& value, const frame_ptr& frame) {
  if (const auto* proposal = std::get_if<pre_prepare>(&value)) {
    if (principal::of(proposal->header.content.replica) == self_) {
      view_ = std::max(view_, proposal->header.content.view);
    }
    remember(*proposal);
  } else if (const auto* preparing = std::get_if<prepare>(&value)) {
    remember_vote(preparing->vote.content, frame);
  } else if (const auto* committing = std::get_if<commit>(&value)) {
    remember_vote(committing->vote.content, frame);
  } else if (const auto* said = std::get_if<status>(&value)) {
    view_ = std::max(view_, said->view);
    low_ = std::max(low_, said->low_watermark);
  } else if (const auto* change = std::get_if<view_change>(&value)) {
    view_ = std::max(view_, change->new_view);
    low_ = std::max(low_, change->stable_sequence);
  } else if (const auto* opened = std::get_if<new_view>(&value)) {
    view_ = std::max(view_, opened->view);
  } else if (const auto* sent = std::get_if<request>(&value)) {
    remember(*sent);
  } else if (const auto* wanted = std::get_if<system_request>(&value)) {
    remember(*wanted);
  }
}

void overheard::on_received(const message& value) {
  if (const auto* proposal = std::get_if<pre_prepare>(&value)) remember(*proposal);
  if (const auto* sent = std::get_if<request>(&value)) remember(*sent);
  if (const auto* wanted = std::get_if<system_request>(&value)) remember(*wanted);
}

void overheard::remember(const request& value) {
  if (!request_ids_.insert(value.id).second) return;
  requests_.push_back(value);
  if (requests_.size() <= requests_max) return;
  request_ids_.erase(requests_.front().id);
  requests_.pop_front();
}

void overheard::remember(const system_request& value) {
  if (std::ranges::find(system_requests_, value.name, &system_request::name) != system_requests_.end()) return;
  system_requests_.push_back(value);
  if (system_requests_.size() > system_requests_max) system_requests_.pop_front();
}

void overheard::remember(const pre_prepare& value) {
  last_ = std::max(last_, value.header.content.sequence);
  if (!proposal_headers_.insert(value.header.content).second) return;
  proposals_.push_back(value);
  for (const auto& each : value.body->requests)
    remember(each);
  for (const auto& each : value.body->system_requests)
    remember(each);
  if (proposals_.size() <= proposals_max) return;
  proposal_headers_.erase(proposals_.front().header.content);
  proposals_.pop_front();
}

void overheard::remember_vote(const statement& content, const frame_ptr& frame) {
  if (principal::of(content.replica) != self_) return;
  view_ = std::max(view_, content.view);
  last_ = std::max(last_, content.sequence);
  const bool known = !votes_.empty() && votes_.back().frame == frame;
  if (known) return;
  votes_.push_back({content, frame});
  if (votes_.size() > votes_max) votes_.pop_front();
}

}  // namespace hypermesh::testing
