#pragma once

#include <string>
#include <utility>
#include <variant>

namespace hypermesh {

/// The reason why an input from outside was not accepted, as a sentence for people.
struct failure {
  std::string text;
};

/// A value, or the reason why there is none.
template <class T>
class [[nodiscard]] checked {
 public:
  checked(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  checked(failure reason) : content_(std::in_place_index<1>, std::move(reason)) {}

  [[nodiscard]] bool has_value() const { return content_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  /// Requires `has_value()`.
  [[nodiscard]] T& operator*() { return *std::get_if<0>(&content_); }
  [[nodiscard]] const T& operator*() const { return *std::get_if<0>(&content_); }
  [[nodiscard]] T* operator->() { return std::get_if<0>(&content_); }
  [[nodiscard]] const T* operator->() const { return std::get_if<0>(&content_); }

  /// Requires that there is no value.
  [[nodiscard]] const std::string& error() const { return std::get_if<1>(&content_)->text; }

 private:
  std::variant<T, failure> content_;
};

}  // namespace hypermesh
