import { Body, Controller, Delete, Get, HttpCode, HttpStatus, Param, Post, Put } from '@nestjs/common';
import { CreateEntryDto } from './dto/create-entry.dto.js';
import { UpdateEntryDto } from './dto/update-entry.dto.js';
import { KvService } from './kv.service.js';

interface Done {
  message: string;
  status: number;
}

@Controller('kv')
export class KvController {
  constructor(private readonly kv: KvService) {}

  @Post()
  @HttpCode(HttpStatus.OK)
  async insert(@Body() { key, value }: CreateEntryDto): Promise<Done> {
    await this.kv.insert(key, value);
    return done('inserted');
  }

  @Get(':key')
  async get(@Param('key') key: string): Promise<string> {
    const { json } = await this.kv.get(key);
    return `{"value":${json}}`;
  }

  @Put(':key')
  async update(@Param('key') key: string, @Body() { value }: UpdateEntryDto): Promise<Done> {
    await this.kv.update(key, value);
    return done('updated');
  }

  @Delete(':key')
  async delete(@Param('key') key: string): Promise<Done> {
    await this.kv.delete(key);
    return done('deleted');
  }
}

function done(message: string): Done {
  return { message, status: HttpStatus.OK };
}
