#include "CTEEPlatform.h"
