#pragma once

#define VERSION_TEXT "parley/" PARLEY_VERSION
