@echo off
rem The command line: runs "python -m modules VERB" in the project's own environment, from any folder.
setlocal
set "python=%~dp0.venv\Scripts\python.exe"
if "%~1"=="setup" (
  for /f "tokens=1,* delims= " %%a in ("%*") do call "%~dp0start_scripts\setup.bat" %%b
  exit /b
)
if not exist "%python%" (
  echo missing: the Python environment .venv 1>&2
  echo why:     the set-up has not been run 1>&2
  echo type:    "%~dp0voicefleet.bat" setup 1>&2
  exit /b 1
)
cd /d "%~dp0"
"%python%" -m modules %*
