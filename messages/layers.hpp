#pragma once

/// The namespaces of the folders. A folder names what the folders below it declare without qualification, and its own
/// names win. Only what hosts use stands directly in `hypermesh`. The style check (`namespaces`) holds each file to the
/// namespace of its folder.
namespace hypermesh {

namespace messages {}
namespace protocol {
using namespace messages;
}
namespace actors {
using namespace protocol;
}
namespace base {
using namespace actors;
}
namespace machines {
using namespace base;
}
namespace links {
using namespace base;
}
namespace storage {
using namespace base;
}
namespace audit {
using namespace base;
}
namespace metrics {
using namespace links;
using namespace storage;
}  // namespace metrics
namespace http {
using namespace metrics;
}
namespace health {
using namespace base;
}
namespace scheduling {
using namespace machines;
}
namespace runtime {
using namespace links;
using namespace machines;
using namespace storage;
using namespace audit;
using namespace metrics;
using namespace http;
using namespace health;
}  // namespace runtime
namespace feed {
using namespace runtime;
}
namespace host {
using namespace feed;
}
namespace cli {
using namespace runtime;
}
namespace testing {
using namespace cli;
}
namespace lab {
using namespace cli;
}

}  // namespace hypermesh
