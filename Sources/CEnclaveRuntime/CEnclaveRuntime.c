#include "CEnclaveRuntime.h"
